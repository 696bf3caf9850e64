package project

// Truth with a third value, as in the logic of Kleene: a condition whose answer hangs on what is not known here.

// truth is the value of a condition. An unknown one is never taken for false without a note.
type truth int

const (
	no truth = iota
	yes
	unknown
)

// truthOf gives what is known.
func truthOf(b bool) truth {
	if b {
		return yes
	}
	return no
}

// not keeps unknown as it is.
func (a truth) not() truth {
	switch a {
	case yes:
		return no
	case no:
		return yes
	}
	return unknown
}

// and is no as soon as one side is, whatever the other would be.
func (a truth) and(b truth) truth {
	switch {
	case a == no || b == no:
		return no
	case a == yes && b == yes:
		return yes
	}
	return unknown
}

// or is yes as soon as one side is.
func (a truth) or(b truth) truth { return a.not().and(b.not()).not() }
