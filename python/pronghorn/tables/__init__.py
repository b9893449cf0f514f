"""CSV and Parquet files → arrays: read in batches by pyarrow, twice, so that a table may be larger than memory.

The first reading learns what encodings need (categories, words, whether numbers are whole), the second writes.
"""
