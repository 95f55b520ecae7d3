"""Builds the kernel with the headers of the bridle that is installed."""

from Cython.Build import cythonize
from setuptools import Extension, setup

import bridle

kernel = Extension("bridle_kernel", ["bridle_kernel.pyx"], include_dirs=[bridle.get_include()])
setup(ext_modules=cythonize([kernel], language_level=3))
