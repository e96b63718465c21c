"""What is taken away: pictures, contact sheets, animations and the files of a study."""
