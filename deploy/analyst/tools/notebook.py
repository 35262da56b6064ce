"""Runs a notebook from its first cell to its last, as somebody who opens it does, and writes it with its answers. Fails where a cell does."""
import pathlib, sys

import nbformat
from nbclient import NotebookClient

source, target = map(pathlib.Path, sys.argv[1:])
notebook = nbformat.read(source, as_version=4)
NotebookClient(notebook, timeout=120, kernel_name='python3', resources={'metadata': {'path': str(source.parent)}}).execute()
nbformat.write(notebook, target)
answers = [output for cell in notebook.cells if cell.cell_type == 'code' for output in cell.outputs]
assert answers and not any(output.output_type == 'error' for output in answers), 'a cell answered nothing'
