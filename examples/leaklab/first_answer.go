package main

// first-answer: ask three, take the first.  The channel has no room, so the two that come second and third wait for a
// reader who has gone ("chan send"), each with its answer in hand.  The commonest goroutine leak of all.
//
// The twin makes room for all answers.

// CASE first-answer EXPECT goroutine-leak verdict=leak proof=proved function=main.firstAnswer.func1 count>=600
// CASE first-answer-fixed NONE

// lab:begin
func firstAnswer(replicas int) []byte {
	answers := make(chan []byte)
	for r := 0; r < replicas; r++ {
		go func(r int) {
			answers <- payload(8 << 10) // of replica r
		}(r)
	}
	return <-answers
}

// lab:end

// lab:fixed-begin
func firstAnswerFixed(replicas int) []byte {
	answers := make(chan []byte, replicas)
	for r := 0; r < replicas; r++ {
		go func(r int) {
			answers <- payload(8 << 10)
		}(r)
	}
	return <-answers
}

// lab:fixed-end

func init() {
	add(mode{name: "first-answer", about: "three are asked, one answer is read; two wait to send theirs", enough: 400,
		plant: func(int) { firstAnswer(3) }, fixed: func(int) { firstAnswerFixed(3) }})
}
