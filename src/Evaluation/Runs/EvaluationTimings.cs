namespace SafeLlama.Evaluation;

/// <summary><c>timings.json</c> of an evaluation run, which alone differs between equal runs.</summary>
/// <param name="AnsweringSeconds">Making or importing answers, in the last call.</param>
/// <param name="JudgingSeconds">Judging them.</param>
/// <param name="AnswersThisTime">Answers made or imported by the last call.</param>
/// <param name="VerdictsThisTime">Verdicts given by the last call.</param>
public sealed record EvaluationTimings(
    double AnsweringSeconds, double JudgingSeconds, int AnswersThisTime, int VerdictsThisTime);
