"""What operators and owners say of flags that parts declare; ``core.flags`` heeds it."""
