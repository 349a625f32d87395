"""What a model looked at: attributions to inputs, and their share on a region."""

from tfkit.lazy import lazy_exports

_LAZY = {
    "attribution_panels": "panels",
    "grad_cam": "activation_maps",
    "grad_cam_of_layer": "activation_maps",
    "gradient_times_input": "path_gradients",
    "integrated_gradients": "path_gradients",
    "region_share": "regions",
}

__getattr__, __dir__, __all__ = lazy_exports(__name__, _LAZY)
