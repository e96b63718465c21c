"""Results as HL7 v2 ORU^R01: signed reports to other systems, and theirs to us."""
