"""The built-in report templates, and the database's own guard of what was signed.

A later migration that changes the table of signed versions must make the guard again: SQLite
copies a table to change it, and triggers stay behind.
"""

from django.db import migrations

SQLITE = """
CREATE TRIGGER viewer_reportversion_never_changes BEFORE UPDATE ON viewer_reportversion
BEGIN SELECT RAISE(ABORT, 'a signed report never changes'); END
"""
POSTGRESQL = """
CREATE FUNCTION viewer_reportversion_refuse() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'a signed report never changes'; END $$;
CREATE TRIGGER viewer_reportversion_never_changes BEFORE UPDATE ON viewer_reportversion
FOR EACH ROW EXECUTE FUNCTION viewer_reportversion_refuse();
"""

TEMPLATES = (
    {
        "name": "CT chest",
        "modality": "CT",
        "body_part": "CHEST",
        "technique": "Helical CT of the chest. Intravenous contrast: [none / ml, phase]. Axial, coronal and sagittal images in lung and soft tissue windows.",
        "findings": "Lungs and airways: No consolidation, mass or suspicious nodule. Airways patent.\nPleura: No effusion, no pneumothorax.\nMediastinum and hila: No enlarged lymph nodes.\nHeart and great vessels: Heart size normal. No pericardial effusion.\nChest wall and axillae: Unremarkable.\nUpper abdomen, as included: Unremarkable.\nBones: No suspicious lesion.",
        "impression": "1. ",
    },
    {
        "name": "CT abdomen and pelvis",
        "modality": "CT",
        "body_part": "ABDOMEN",
        "technique": "CT of the abdomen and pelvis. Oral contrast: [none / type]. Intravenous contrast: [none / ml, phase].",
        "findings": "Lung bases: Clear.\nLiver: Normal size and attenuation, no focal lesion.\nGallbladder and bile ducts: Unremarkable, not dilated.\nPancreas: Unremarkable.\nSpleen: Normal size.\nAdrenals: Unremarkable.\nKidneys and ureters: No hydronephrosis, no stone, no mass.\nStomach and bowel: Not dilated, no wall thickening. Appendix: [normal / not seen].\nBladder and pelvic organs: Unremarkable.\nPeritoneum: No free fluid, no free air.\nLymph nodes: Not enlarged.\nVessels: Aorta of normal calibre.\nBones and soft tissues: No suspicious lesion.",
        "impression": "1. ",
    },
    {
        "name": "MR head",
        "modality": "MR",
        "body_part": "HEAD",
        "technique": "MR of the head at [1.5 / 3] T: [T1, T2, FLAIR, diffusion, susceptibility-weighted]. Intravenous contrast: [none / agent, ml].",
        "findings": "Diffusion: No restricted diffusion.\nBrain parenchyma: No mass, no haemorrhage, no abnormal signal.\nVentricles and sulci: Normal for age. No midline shift.\nExtra-axial spaces: No collection.\nVessels: Flow voids of the large arteries and sinuses preserved.\nSella, brain stem and cerebellum: Unremarkable.\nOrbits: Unremarkable.\nParanasal sinuses and mastoids: Clear.\nSkull and scalp: Unremarkable.",
        "impression": "1. ",
    },
    {
        "name": "Chest radiograph",
        "modality": "DX",
        "body_part": "CHEST",
        "technique": "[PA and lateral, upright / AP, portable].",
        "findings": "Lines and tubes: None.\nLungs: Clear, no consolidation.\nPleura: No effusion, no pneumothorax.\nHeart and mediastinum: Heart size and contours normal.\nBones: No acute abnormality.",
        "impression": "No acute cardiopulmonary abnormality.",
    },
    {
        "name": "Chest radiograph",
        "modality": "CR",
        "body_part": "CHEST",
        "technique": "[PA and lateral, upright / AP, portable].",
        "findings": "Lines and tubes: None.\nLungs: Clear, no consolidation.\nPleura: No effusion, no pneumothorax.\nHeart and mediastinum: Heart size and contours normal.\nBones: No acute abnormality.",
        "impression": "No acute cardiopulmonary abnormality.",
    },
    {
        "name": "Mammography",
        "modality": "MG",
        "body_part": "BREAST",
        "technique": "[Screening / diagnostic] mammography, CC and MLO views of [both breasts].",
        "findings": "Breast composition (ACR): [a / b / c / d].\nRight breast: No mass, architectural distortion or suspicious calcification.\nLeft breast: No mass, architectural distortion or suspicious calcification.\nAxillae: No suspicious lymph nodes.\nSkin and nipples: Unremarkable.",
        "impression": "Right: BI-RADS [0-6].\nLeft: BI-RADS [0-6].\nRecommendation: ",
    },
    {
        "name": "Ultrasound abdomen",
        "modality": "US",
        "body_part": "ABDOMEN",
        "technique": "Transabdominal ultrasound with [curved / linear] transducer. Conditions: [good / limited by bowel gas].",
        "findings": "Liver: Normal size and echotexture, no focal lesion. Portal vein patent.\nGallbladder: No stones, wall not thickened.\nBile ducts: Not dilated; common duct [mm].\nPancreas: [Unremarkable / not seen in full].\nSpleen: Normal size, [cm].\nRight kidney: [cm], no hydronephrosis.\nLeft kidney: [cm], no hydronephrosis.\nAorta: Not dilated.\nFree fluid: None.\nBladder: Unremarkable.",
        "impression": "1. ",
    },
)


def make_templates(apps, _schema_editor):
    template = apps.get_model("viewer", "ReportTemplate")
    for values in TEMPLATES:
        key = {name: values[name] for name in ("name", "modality")}
        template.objects.get_or_create(**key, owner=None, group=None, defaults=values)


def guard(_apps, schema_editor):
    schema_editor.execute(POSTGRESQL if schema_editor.connection.vendor == "postgresql" else SQLITE)


def unguard(_apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("DROP TRIGGER viewer_reportversion_never_changes ON viewer_reportversion")
        schema_editor.execute("DROP FUNCTION viewer_reportversion_refuse()")
    else:
        schema_editor.execute("DROP TRIGGER viewer_reportversion_never_changes")


class Migration(migrations.Migration):
    dependencies = [("viewer", "0003_reports")]
    operations = [
        migrations.RunPython(guard, unguard),
        migrations.RunPython(make_templates, migrations.RunPython.noop),
    ]
