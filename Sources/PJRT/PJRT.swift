// PJRT
