"""The teacher's pack: slides, handout, notebooks, and a zip for rooms without network.

`make teach` builds it into _build/teach/; the pages for teachers are in book/teach/.
"""
