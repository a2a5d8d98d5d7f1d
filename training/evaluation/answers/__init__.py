"""Marks for written answers: exact match, ROUGE-L, chrF, constraints, and how the text looks.

Nothing here loads a model or a tagger, so the marks of an answer are the same on every machine.
"""
