"""How long the UNet's step takes through Triton, by the rows in it: median of many, one caller at a time.

A guided picture is two rows: 2 rows are one caller with one picture, 16 are eight pictures together.
"""

import argparse
import statistics
import time

import numpy as np
import tritonclient.grpc as grpc
from tritonclient.utils import np_to_triton_dtype, triton_to_np_dtype

from serving.triton import Options, Triton

ROWS = (2, 8, 16)


def step_times(client: grpc.InferenceServerClient, rows: int, count: int) -> list[float]:
    """Milliseconds of each of `count` steps with `rows` rows, after one that is not counted."""
    random = np.random.default_rng(0)
    inputs = []
    for tensor in client.get_model_metadata("unet").inputs:
        shape = [rows, *tensor.shape[1:]]
        array = random.standard_normal(shape).astype(triton_to_np_dtype(tensor.datatype))
        inputs.append(grpc.InferInput(tensor.name, shape, np_to_triton_dtype(array.dtype)))
        inputs[-1].set_data_from_numpy(array)
    times = []
    for _ in range(count + 1):
        start = time.perf_counter()
        client.infer("unet", inputs)
        times.append(1000 * (time.perf_counter() - start))
    return times[1:]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repository", default="mini")
    parser.add_argument("--rows", type=int, nargs="+", default=ROWS)
    parser.add_argument("--count", type=int, default=50, help="steps per number of rows")
    arguments = parser.parse_args()
    with Triton(Options(repository=arguments.repository)) as triton:
        listening = triton.listening
        client = grpc.InferenceServerClient(f"{listening.host}:{listening.grpc}")
        for rows in arguments.rows:
            print(f"{rows:2} rows: {statistics.median(step_times(client, rows, arguments.count)):7.1f} ms")
