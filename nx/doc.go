// Package nx says what Microsoft's NX pool opt-in mechanisms mean: what a request for kernel memory gets, given how
// its file was compiled, whether the image has opted in by then, and which Windows runs it.
//
// A [File] gives a [Mechanism]; a [Run] evaluates a token of the kit's headers at one moment; a [DDI] says which
// argument of a kernel routine decides, what an opt-in does to it, and whether the result is executable. A [Check] is what
// Driver Verifier and the lab kit then say of it.
//
// The facts come from the wdm.h of the Windows 10 and 11 kits. Where the documentation and that header disagree,
// the header decides what a build does, and so it does here.
package nx
