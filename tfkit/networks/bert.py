"""BERT and DistilBERT as classifiers of texts."""

import keras
from keras import layers, ops

from tfkit.extras import need
from tfkit.layers.padding import MaskedBlock
from tfkit.networks.backbones.presets import apart, located, read

# Google's BERT-Tiny
_TINY = {"num_layers": 2, "num_heads": 2, "hidden_dim": 128, "intermediate_dim": 512}


def bert(
    input_shape,
    classes,
    vocabulary_size,
    preset: str | None = None,
    pretrained: bool = True,
    dropout: float = 0.1,
    separator: int | None = 102,
) -> keras.Model:
    """Classifier of texts on BERT or DistilBERT: a hidden layer on the first token's state, Dense.

        logits = W dropout(f(h_0)) + b          f: BERT's own tanh layer; of DistilBERT a new ReLU

    Inputs are numbers of word pieces, 0 for padding. The blocks are called block_1, block_2 …;
    their outputs are 0 at padding, so the network can be cut behind any of them, or behind
    `embeddings`, without a mask beside (`lower_part`, `upper_part`, readouts).

    Shapes: [B, T] int -> [B, K]
    Args:
        input_shape: (T,), told by the data.
        classes: K, told by the data.
        vocabulary_size: numbers of word pieces that the data use, told by them; the preset must
            know as many.
        preset: folder of a keras-hub preset, under $TFKIT_DATA or here; or a name that keras-hub
            has, such as "bert_base_en_uncased", which it then downloads where it has not yet.
            null: BERT-Tiny's 2 blocks of width 128, untrained, to try a recipe out.
        pretrained: the preset's weights; false: its architecture with random ones.
        dropout: share of the pooled features that training leaves out, in [0, 1); 0.1 is BERT's.
        separator: number of [SEP], which parts two sentences for BERT's segments; 102 in its
            English vocabularies; null: all is the first segment. DistilBERT has no segments.
    Raises:
        DataMissing: no such preset.
        ValueError: one of another kind, or too small for the data.
    References: Devlin et al. 2019, arXiv:1810.04805; Sanh et al. 2019, arXiv:1910.01108.
    """
    need("network bert", "text", "keras_hub")
    if not 0 <= dropout < 1:
        raise ValueError(f"bert: dropout must be in [0, 1), got {dropout}.")
    if len(input_shape) != 1:
        raise ValueError(
            f"bert: needs texts of shape (T,), the data's are {tuple(input_shape)}; take another "
            "network for others."
        )
    backbone = _backbone(preset, pretrained)
    _check_fit(backbone, input_shape[0], vocabulary_size)
    ids = keras.Input(input_shape, dtype="int32", name="inputs")
    hidden = _embedded(backbone, ids, separator)  # [B, T, D]
    for number, block in enumerate(backbone.transformer_layers, start=1):
        hidden = MaskedBlock(block, name=f"block_{number}")(hidden)
    if not (pool := getattr(backbone, "pooled_dense", None)):
        pool = layers.Dense(backbone.hidden_dim, activation="relu", name="pooled_dense")
    pooled = layers.Dropout(dropout, name="dropout")(pool(hidden[:, 0]))  # [B, D]
    logits = layers.Dense(classes, name="logits")(pooled)  # [B, K]
    return apart(keras.Model(ids, logits, name="bert"))


def _backbone(preset, pretrained):
    import keras_hub

    if preset is None:
        return keras_hub.models.BertBackbone(vocabulary_size=30522, **_TINY)
    kinds = (keras_hub.models.BertBackbone, keras_hub.models.DistilBertBackbone)
    return read("bert", located("bert", preset), kinds, pretrained)


def _check_fit(backbone, length, vocabulary_size):
    most = {"max_sequence_length": length, "vocabulary_size": vocabulary_size}
    for name, wanted in most.items():
        if wanted > getattr(backbone, name):
            raise ValueError(
                f"bert: the preset's {name} is {getattr(backbone, name)}, but the data need "
                f"{wanted}; take shorter texts, or the vocabulary of the preset."
            )


def _embedded(backbone, ids, separator):
    """Word pieces, places and segments, 0 at padding.  [B, T] -> [B, T, D]"""
    real = ops.not_equal(ids, 0)  # [B, T]
    if hasattr(backbone, "segment_embedding"):
        pieces = backbone.token_embedding(ids)
        segments = backbone.segment_embedding(_segments(ids, real, separator))
        places = backbone.position_embedding(pieces)
        found = backbone.embeddings_add((pieces, places, segments))
    else:
        found = backbone.embeddings(ids)
    found = backbone.embeddings_dropout(backbone.embeddings_layer_norm(found))
    # dropout leaves no place without features: that would take all D of them at once
    shown = ops.expand_dims(ops.cast(real, found.dtype), -1)
    return layers.Multiply(name="embeddings")([found, shown])


def _segments(ids, real, separator):
    """1 behind the first separator, else 0.  [B, T] -> [B, T] int32"""
    if separator is None:
        return ops.zeros_like(ids)
    ends = ops.cast(ops.equal(ids, separator), "int32")
    before = ops.cumsum(ends, axis=1) - ends
    return ops.cast(ops.logical_and(ops.greater(before, 0), real), "int32")
