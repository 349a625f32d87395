import numpy as np
import pytest

from tfkit.explain import region_share

REGION = np.zeros((4, 6), bool)
REGION[:, :2] = True


def test_an_even_attribution_has_the_share_of_the_area():
    np.testing.assert_allclose(region_share(np.full((3, 4, 6), -2.0), REGION), [1 / 3] * 3)


def test_channels_and_signs_do_not_cancel():
    attribution = np.zeros((1, 4, 6, 2))
    attribution[0, 0, 0] = [3, -3]
    attribution[0, 1, 5] = [2, 0]
    np.testing.assert_allclose(region_share(attribution, REGION), [6 / 8])
    np.testing.assert_allclose(region_share(-attribution, ~REGION), [2 / 8])


def test_each_example_may_have_its_own_region():
    attribution = np.ones((2, 4, 6))
    found = region_share(attribution, np.stack([REGION, ~REGION]))
    np.testing.assert_allclose(found, [1 / 3, 2 / 3])


def test_nothing_attributed_has_no_share():
    attribution = np.zeros((2, 4, 6))
    attribution[1, 0, 0] = 5
    np.testing.assert_array_equal(region_share(attribution, REGION), [np.nan, 1])


@pytest.mark.parametrize(
    ("attribution", "region", "message"),
    [
        (np.ones((2, 4)), REGION, r"must be \[B, H, W\]"),
        (np.ones((2, 4, 6)), REGION.astype(int), "region bool"),
        (np.ones((2, 4, 5)), REGION, r"got \(2, 4, 5\) and bool \(4, 6\)"),
        (np.full((2, 4, 6), np.inf), REGION, "must be finite"),
    ],
)
def test_what_is_refused(attribution, region, message):
    with pytest.raises(ValueError, match=message):
        region_share(attribution, region)
