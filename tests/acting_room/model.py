"""The toy method, disturbed between steps."""

import keras

from toy_room.model import Toy


@keras.saving.register_keras_serializable(package="toy")
class Acting(Toy):
    """Toy, in the stages that `stages.py` beside it lists.

    Needs: x, y
    Logs: loss, critic
    References: made for the tests.
    """
