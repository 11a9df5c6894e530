"""What stemctl is measured against, each as a program of its own."""
