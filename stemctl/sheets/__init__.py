"""Tables of other programs: cells and values, columns and fields, and reading CSV, TSV and XLSX."""
