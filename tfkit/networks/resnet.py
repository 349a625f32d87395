"""Residual networks of keras-hub as classifiers of images."""

import keras
from keras import layers

from tfkit.extras import need
from tfkit.networks.backbones.presets import apart, located, read, reading

_TEN = {  # the smallest: a block of two convolutions in each stage
    "input_conv_filters": [64],
    "input_conv_kernel_sizes": [7],
    "stackwise_num_filters": [64, 128, 256, 512],
    "stackwise_num_blocks": [1, 1, 1, 1],
    "stackwise_num_strides": [1, 2, 2, 2],
    "block_type": "basic_block",
}
_MEAN, _DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet, in [0, 1]
_BYTES = 255.0  # a preset tells what it makes of bytes


def resnet(input_shape, classes, preset: str | None = None, pretrained: bool = True) -> keras.Model:
    """Classifier of images on a residual network: its features, their mean over places, a Dense.

    Images in [0, 1] are scaled within it as the preset's image converter says. Stages end behind
    stack0_block1_out, stack1_block1_out, stack2_block1_out and stack3_block1_out in ResNet-18, and
    behind stack0_block2_out, stack1_block3_out, stack2_block5_out and stack3_block2_out in
    ResNet-50: where `lower_part`, `upper_part` and readouts cut.

    Shapes: [B, H, W, C] -> [B, K]
    Args:
        input_shape: (H, W, 3), sides of at least 32; told by the data.
        classes: K, told by the data.
        preset: folder of a keras-hub preset, under $TFKIT_DATA or here; or a name that keras-hub
            has, such as "resnet_18_imagenet", which it then downloads where it has not yet. null:
            ResNet-10, untrained, to try a recipe out.
        pretrained: the preset's weights; false: its architecture with random ones.
    Raises:
        DataMissing: no such preset.
        ValueError: one of another kind, or images of another shape.
    References: He et al. 2016, arXiv:1512.03385.
    """
    need("network resnet", "text", "keras_hub")
    if len(input_shape) != 3 or input_shape[-1] != 3 or min(input_shape[:2]) < 32:
        raise ValueError(
            "resnet: needs colour images of shape (H, W, 3) with sides of at least 32, got "
            f"{tuple(input_shape)}."
        )
    backbone, scale, offset = _backbone(preset, pretrained, tuple(input_shape))
    images = keras.Input(input_shape, name="inputs")
    scaled = layers.Rescaling(scale, offset, name="scaled")(images)
    # call, not __call__: its layers become layers of this network, where they can be found and cut
    features = backbone.call(scaled)  # [B, h, w, D]
    means = layers.GlobalAveragePooling2D(name="pool")(features)
    logits = layers.Dense(classes, name="logits")(means)  # [B, K]
    return apart(keras.Model(images, logits, name="resnet"))


def _backbone(preset, pretrained, shape):
    """The features' network, and what it makes of images in [0, 1]: their scale and offset."""
    import keras_hub

    if preset is None:
        made = keras_hub.models.ResNetBackbone(image_shape=shape, **_TEN)
        pairs = list(zip(_MEAN, _DEVIATION, strict=True))
        return made, [1 / d for _, d in pairs], [-m / d for m, d in pairs]
    place = located("resnet", preset)
    kinds = (keras_hub.models.ResNetBackbone,)
    made = read("resnet", place, kinds, pretrained, image_shape=shape)
    with reading("resnet", place):
        converter = keras_hub.layers.ImageConverter.from_preset(place)
    scale = 1.0 if converter.scale is None else converter.scale
    offset = 0.0 if converter.offset is None else converter.offset
    return made, _times(scale, _BYTES), offset


def _times(given, factor):
    return [one * factor for one in given] if isinstance(given, (list, tuple)) else given * factor
