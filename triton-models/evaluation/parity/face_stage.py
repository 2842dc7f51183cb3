"""From a photo to an embedding by insightface's own classes, with a published layout's face networks."""

import io

import numpy as np
from insightface.model_zoo.arcface_onnx import ArcFaceONNX
from insightface.model_zoo.scrfd import SCRFD
from insightface.utils import face_align
from PIL import Image, ImageOps

from export.arc2face.layout import Layout


class FaceStage:
    """Detector and recogniser, loaded once."""

    def __init__(self, layout: Layout) -> None:
        self.detector, self.recogniser = SCRFD(str(layout.detector)), ArcFaceONNX(str(layout.recogniser))
        self.detector.prepare(ctx_id=-1, det_thresh=0.5)

    def embed(self, photo: bytes, side: int, border: float = 0.0) -> np.ndarray | None:
        """The embedding [D] of unit length of the photo's largest face; None: it shows no face.

        `side` is that of the square in which the face is detected, in pixels. A `border` in black, as a share of the
        photo's sides, helps with a face that fills it.
        """
        upright = ImageOps.exif_transpose(Image.open(io.BytesIO(photo))).convert("RGB")
        if border:
            upright = ImageOps.expand(upright, tuple(round(border * pixels) for pixels in upright.size))
        bgr = np.ascontiguousarray(np.asarray(upright)[:, :, ::-1])
        boxes, landmarks = self.detector.detect(bgr, input_size=(side, side))
        if not len(boxes):
            return None
        largest = ((boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])).argmax()
        crop = face_align.norm_crop(bgr, landmarks[largest], image_size=112)
        embedding = self.recogniser.get_feat(crop)[0]
        return embedding / np.linalg.norm(embedding)
