package machine

func decodeARM64(code []byte, at uint32, base uint64, in *Inst) bool { return false }
