"""What people say to each other about a study, whom they ask to look, who else has it open."""
