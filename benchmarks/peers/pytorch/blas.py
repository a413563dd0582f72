"""The BLAS under torch. Import this first: a BLAS reads its number of threads once, when it is loaded."""

import argparse
import ctypes
import os
from pathlib import Path


def limit_threads():
    """Gives --threads to the BLAS; torch.set_num_threads alone leaves OpenBLAS with a thread for each core."""
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--threads", default="1")
    threads = parser.parse_known_args()[0].threads
    for library in ("OPENBLAS", "OMP", "MKL"):
        os.environ[f"{library}_NUM_THREADS"] = threads


def name():
    """Which OpenBLAS is loaded and which kernels it picked, such as "OpenBLAS 0.3.21 Cooperlake"; None for others."""
    maps = Path("/proc/self/maps")
    for line in maps.read_text().splitlines() if maps.exists() else []:
        library = line.split(maxsplit=5)[-1]
        if "openblas" in Path(library).name:
            config = ctypes.CDLL(library).openblas_get_config
            config.restype = ctypes.c_char_p
            core = ctypes.CDLL(library).openblas_get_corename
            core.restype = ctypes.c_char_p
            return f"{' '.join(config().decode().split()[:2])} {core().decode()}"
    return None


limit_threads()
