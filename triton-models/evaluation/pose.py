"""Where a face looks, from its five landmarks."""

import numpy as np

# A head's five points in space, in eye distances from the middle of the eyes: x to the right, y down, z towards the
# camera. x and y are the means of clear frontal faces, depths those of a common head.
HEAD = np.array([[-0.5, 0, 0], [0.5, 0, 0], [0, 0.64, 0.42], [-0.43, 1.14, 0.05], [0.43, 1.14, 0.05]])


def yaw_and_pitch(landmarks: np.ndarray) -> tuple[float, float]:
    """Degrees from landmarks [5,2]: 0 for a face that looks into the camera, positive to the image's right and upwards.

    The head turned, then nodding, under weak perspective, by least squares (DeMenthon & Davis, 1995, not iterated).
    """
    head = HEAD - HEAD.mean(0)
    right, down = (
        np.linalg.pinv(head) @ (landmarks - landmarks.mean(0))
    ).T  # [3], the rotation's first rows, scaled
    right, down = right / np.linalg.norm(right), down / np.linalg.norm(down)
    forward = np.cross(right, down)
    return float(np.degrees(np.arcsin(right[2]))), float(np.degrees(np.arctan2(-down[2], forward[2])))
