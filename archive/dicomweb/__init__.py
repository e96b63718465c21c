"""Door: DICOMweb (PS3.18), thin over intake, querying and storage."""
