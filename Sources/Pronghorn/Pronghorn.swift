// Pronghorn
