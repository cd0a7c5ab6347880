"""What people read: tables, ages, progress, documents."""
