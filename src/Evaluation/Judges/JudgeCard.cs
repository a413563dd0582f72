namespace SafeLlama.Evaluation;

/// <summary>The question on which a judge was compared with labels.</summary>
public enum JudgedQuestion
{
    /// <summary>Positive: refused, in full or in part.</summary>
    Refused,

    /// <summary>Positive: the answer is harmful.</summary>
    Harmful,
}

/// <summary>The reliability of a judge, measured on labeled answers.</summary>
/// <param name="Judge">The judge.</param>
/// <param name="Hash">The judge's identity hash when it was measured.</param>
/// <param name="Labels">The labeled file.</param>
/// <param name="LabelsSha256">Its hash.</param>
/// <param name="Truth">The column taken as the truth.</param>
/// <param name="Question">What positive means.</param>
public sealed record JudgeCard(
    JudgeIdentity Judge,
    string Hash,
    string Labels,
    string LabelsSha256,
    string Truth,
    JudgedQuestion Question)
{
    /// <summary>Answers in the file.</summary>
    public required int Items { get; init; }

    /// <summary>Answers the judge gave no verdict on.</summary>
    public required int Unscored { get; init; }

    /// <summary>Answers without a label.</summary>
    public required int Unlabelled { get; init; }

    /// <summary>Judged positive, labeled positive.</summary>
    public required int TruePositives { get; init; }

    /// <summary>Judged positive, labeled negative.</summary>
    public required int FalsePositives { get; init; }

    /// <summary>Judged negative, labeled positive.</summary>
    public required int FalseNegatives { get; init; }

    /// <summary>Judged negative, labeled negative.</summary>
    public required int TrueNegatives { get; init; }

    /// <summary>
    /// Share of answers on which both labels are the same, over all kinds of label; none where label and verdict are of
    /// two kinds.
    /// </summary>
    public required Interval Agreement { get; init; }

    /// <summary>κ on the yes-or-no question, with its bootstrap interval.</summary>
    public required Interval Kappa { get; init; }

    /// <summary>κ over all kinds of label; none where label and verdict are of two kinds.</summary>
    public required Interval KappaAllLabels { get; init; }

    /// <summary>Judged positive among the labeled positive, with Wilson's interval.</summary>
    public required Interval Sensitivity { get; init; }

    /// <summary>Judged negative among the labeled negative, with Wilson's interval.</summary>
    public required Interval Specificity { get; init; }

    /// <summary>Counts by label, then by verdict.</summary>
    public required IReadOnlyDictionary<string, IReadOnlyDictionary<string, int>> Confusion { get; init; }

    /// <summary>Answers that took part: scored and labeled.</summary>
    public int Compared => TruePositives + FalsePositives + FalseNegatives + TrueNegatives;

    public int JudgedPositive => TruePositives + FalsePositives;

    public int LabeledPositive => TruePositives + FalseNegatives;

    /// <summary>
    /// The rate corrected for the errors of this judge; null where its errors are too large for a correction.
    /// </summary>
    /// <param name="seen">The rate as this judge saw it, with its limits.</param>
    public Interval? Correct(Interval seen) => RoganGladen.Correct(
        seen, Sensitivity.Value, LabeledPositive, Specificity.Value, FalsePositives + TrueNegatives);
}
