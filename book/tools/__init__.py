"""Scripts that write the notebooks, build the teacher's pack and check the pages; `make help` names them."""
