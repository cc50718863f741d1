"""What training programs ask of SageMaker's training toolkit, where that is not installed: the job's environment."""
