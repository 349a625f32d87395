"""Just train twice."""

import keras
from keras import ops

from tfkit.classification.networks import NetworkClassifier
from tfkit.methods.group_robustness.balance import upsampled_rows
from tfkit.methods.group_robustness.errors import counted, errors_variable, told


@keras.saving.register_keras_serializable(package="tfkit")
class JTT(NetworkClassifier):
    """Just train twice: trains again with more of what a short first training got wrong.

        identify   loss_1 = mean_b CE(f_1(x_b), y_b)        for a few steps
        errors     E      = {i: argmax f_1(x_i) != y_i}     over the training set
        train      loss   = mean_b CE(f(x_b), y_b)          on the training set with E repeated

    An example of E is there `upweight` times, all others once. A recipe has the three as stages;
    how long the first lasts decides all. From Python: train a network of the same kind,
    `model.set_errors(wrong)`, `rows = model.rows()`, then `model.fit(x[rows], y[rows])`. No group
    labels in training; the paper chooses by them.

    Shapes: inputs [B, ...] -> logits [B, C]
    Needs: inputs, labels
    Logs: loss, accuracy
    Args:
        network: inputs -> logits [B, C], such as a `perceptron`; functional or Sequential.
        num_train: N, rows of the training set; in a recipe null, for the data tell it.
        upweight: times that an error is repeated, >= 1; the paper takes 20 to 100 for images, 4 to
            6 for text.
        identify_epochs: of the first training in a recipe, >= 1; the paper takes 1 to 60.
        weight_decay: L2 penalty w/2 |v|^2 of all trainable variables in the gradient, >= 0; the
            paper's is 1e-1 to 1.
    References: Liu et al. 2021, arXiv:2107.09044.
    """

    def __init__(
        self,
        network: keras.Model,
        num_train: int | None = None,
        upweight: int = 50,
        identify_epochs: int = 1,
        weight_decay: float = 0.0,
        **kwargs,
    ):
        super().__init__(network, weight_decay, **kwargs)
        self.upweight = counted("JTT", "upweight", upweight)
        self.identify_epochs = counted("JTT", "identify_epochs", identify_epochs)
        self.errors = errors_variable(self, num_train)

    def set_errors(self, wrong):
        """Remember which rows of the training set the first training got wrong.  [N] bool"""
        self.errors.assign(ops.cast(wrong, "int8"))

    def rows(self):
        """Rows to train on, errors repeated.  -> [M] int"""
        return upsampled_rows(ops.convert_to_numpy(self.errors), self.upweight)

    def get_config(self):
        """The network and the options."""
        return {**super().get_config(), **told(self)}
