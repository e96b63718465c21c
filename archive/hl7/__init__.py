"""The door for HL7 v2 over MLLP: orders (ORM^O01) become steps of the modality worklist, results (ORU^R01) reports."""
