"""What an export of this room answers to: the study's signatures."""

import tensorflow as tf
from keras import ops

from tfkit.signature import Signature

CARD = {  # what the model card says of every export of this room
    "task": "image-feature-vector",
    "gives": {
        "images": "reconstructed images, in [0, 1]",
        "logits": "of the reconstructed pixels",
        "mean": "of q(z|x): the representation",
        "logvar": "log variances of q(z|x)",
    },
    "limits": "What a latent means is owed to seed and strength, the method guarantees nothing "
    "(Locatello et al. 2019): look at the traversals in the report. Images unlike those of the "
    "training data are answered all the same, without a warning.",
}


def signatures(model) -> dict[str, Signature]:
    """Named functions of named tensors; `predict` is `reconstructions`, at the mean.

        predict, reconstructions   images -> images, logits
        gaussian_encoder           images -> mean, logvar
        decoder                    latent_vectors -> images, logits

    Shapes: images [B, H, W, C] in [0, 1]; latent_vectors, mean, logvar [B, D]; all float32
    """
    images = {"images": _spec(model.encoder.inputs[0])}
    codes = {"latent_vectors": _spec(model.decoder.inputs[0])}

    def gaussian_encoder(images):
        mean, logvar = model.encoder(images, training=False)
        return {"mean": ops.cast(mean, "float32"), "logvar": ops.cast(logvar, "float32")}

    def decoder(latent_vectors):
        logits = ops.cast(model.decoder(latent_vectors, training=False), "float32")
        return {"images": ops.sigmoid(logits), "logits": logits}

    def reconstructions(images):
        return decoder(gaussian_encoder(images)["mean"])

    return {
        "predict": Signature(reconstructions, images),
        "reconstructions": Signature(reconstructions, images),
        "gaussian_encoder": Signature(gaussian_encoder, images),
        "decoder": Signature(decoder, codes),
    }


def representation(model):
    """The function images -> mean of q(z|x), which the hub module computes when it is called."""

    def mean(images):
        return ops.cast(model.encoder(images)[0], "float32")  # hub's `training` reaches the layers

    return mean


def _spec(tensor):
    return tf.TensorSpec((None, *tensor.shape[1:]), tf.float32)
