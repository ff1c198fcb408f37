"""Parameters for scores of small scenes."""

import numpy as np

from skred.scores.params import ScoreParams

NUMBERS = {
    "block_px": 16,
    "nearby_blocks": 2,
    "replicates": 99,
    "interval": "studentised",
    "min_blocks": 5,
    "min_landslides": 5,
    "overlap_share": 0.2,
    "units_px": [1, 3],
    "chance_shifts": 20,
    "calibration": "best",
    "min_seeds": 3,
    "seed": 1,
}
PARAMS = ScoreParams.model_validate(NUMBERS)


def apart(blocks):
    """Places of blocks of which none is near another."""
    return {"block_row": 10 * np.arange(blocks), "block_col": 0}
