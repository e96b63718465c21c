"""The door for orders: HL7 v2 ORM^O01 over MLLP, translated into steps of the modality worklist."""
