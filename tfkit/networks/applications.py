"""Image networks of keras.applications as classifiers."""

import keras
from keras import layers, ops

_MEAN_BGR = (103.939, 116.779, 123.68)  # of ImageNet, in bytes; Caffe's order of channels
_MEAN_RGB, _DEVIATION_RGB = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet, in [0, 1]


def _caffe(images):
    swapped = ops.flip(images, axis=-1)
    return layers.Rescaling(255.0, [-mean for mean in _MEAN_BGR], name="to_caffe")(swapped)


def _torch(images):
    pairs = list(zip(_MEAN_RGB, _DEVIATION_RGB, strict=True))
    scale, offset = [1 / d for _, d in pairs], [-m / d for m, d in pairs]
    return layers.Rescaling(scale, offset, name="to_standard")(images)


def _signed(images):
    return layers.Rescaling(2.0, -1.0, name="to_signed")(images)


def _bytes(images):
    return layers.Rescaling(255.0, name="to_bytes")(images)


_KNOWN = {  # backbone -> what it was trained on, from images in [0, 1]
    "DenseNet121": _torch,
    "EfficientNetV2B0": _bytes,  # it scales by itself
    "MobileNetV2": _signed,
    "ResNet50": _caffe,
    "ResNet50V2": _signed,
}


def application(
    input_shape,
    classes,
    backbone: str = "ResNet50",
    weights: str | None = None,
) -> keras.Model:
    """Classifier of images on a network of keras.applications: its features, their mean, a Dense.

    Images in [0, 1] are brought to what the network was trained on within it.

    Shapes: [B, H, W, C] -> [B, K]
    Args:
        input_shape: (H, W, 3), sides of at least 32; told by the data.
        classes: K, told by the data.
        backbone: DenseNet121, EfficientNetV2B0, MobileNetV2, ResNet50 or ResNet50V2.
        weights: null for random ones; "imagenet", which Keras downloads where it has not yet; or
            the `.weights.h5` file of such a network without its top.
    References: https://keras.io/api/applications/
    """
    if backbone not in _KNOWN:
        raise ValueError(
            f"application: backbone must be one of {', '.join(_KNOWN)}, got {backbone!r}."
        )
    if len(input_shape) != 3 or input_shape[-1] != 3 or min(input_shape[:2]) < 32:
        raise ValueError(
            "application: needs colour images of shape (H, W, 3) with sides of at least 32, got "
            f"{tuple(input_shape)}."
        )
    images = keras.Input(input_shape, name="inputs")
    make = getattr(keras.applications, backbone)
    made = make(include_top=False, weights=weights, input_tensor=_KNOWN[backbone](images))
    means = layers.GlobalAveragePooling2D(name="pool")(made.output)
    return keras.Model(images, layers.Dense(classes, name="logits")(means), name="application")
