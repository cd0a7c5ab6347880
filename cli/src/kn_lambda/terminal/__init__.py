"""Output for people and programs: tables, ages, progress, documents."""
