"""`arcface` against MobileFace as published, and against itself in other company."""

import numpy as np
import pytest

from evaluation import faces, original_recogniser
from tests import pictures
from tests.golden import GOLDEN
from tests.rows import check_rows_alone_and_together


def test_embeddings_equal_those_of_the_original() -> None:
    embeddings = faces.session("arcface").run(None, {"face": pictures.crops()})[0]
    np.testing.assert_allclose(embeddings, np.load(GOLDEN / "arcface.npy"), atol=1e-4)


def test_original_recogniser_answers_as_recorded() -> None:
    np.testing.assert_allclose(
        original_recogniser.embed(pictures.crops()[:2]), np.load(GOLDEN / "arcface.npy")[:2], atol=1e-4
    )


@pytest.mark.parametrize("threads", [1, 2])
def test_rows_do_not_depend_on_their_batch(threads: int) -> None:
    crops = np.concatenate([pictures.crops(), pictures.crops()[:, ::-1]])
    check_rows_alone_and_together(faces.MODELS / "arcface", crops, largest=16, threads=threads)
