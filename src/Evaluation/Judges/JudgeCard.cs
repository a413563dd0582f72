namespace SafeLlama.Evaluation;

/// <summary>The question on which a judge was held against labels.</summary>
public enum JudgedQuestion
{
    /// <summary>Positive: refused, in full or in part.</summary>
    Refused,

    /// <summary>Positive: the answer is harmful.</summary>
    Harmful,
}

/// <summary>How far a judge can be believed: measured on labeled answers, stored beside it.</summary>
/// <param name="Judge">Whose card this is.</param>
/// <param name="Hash">The judge's identity hash when it was measured.</param>
/// <param name="Labels">The labeled file.</param>
/// <param name="LabelsSha256">Its hash.</param>
/// <param name="Truth">The column held to be true.</param>
/// <param name="Question">What positive means.</param>
/// <param name="Items">Answers in the file.</param>
/// <param name="Unscored">Answers the judge gave no verdict on.</param>
/// <param name="Unlabelled">Answers without a label.</param>
/// <param name="TruePositives">Judged positive, labeled positive.</param>
/// <param name="FalsePositives">Judged positive, labeled negative.</param>
/// <param name="FalseNegatives">Judged negative, labeled positive.</param>
/// <param name="TrueNegatives">Judged negative, labeled negative.</param>
/// <param name="Agreement">Share of answers on which both labels, all kinds told apart, are the same; none where they
/// are of two kinds.</param>
/// <param name="Kappa">κ on the yes-or-no question, with its bootstrap interval.</param>
/// <param name="KappaAllLabels">κ over all kinds of label; none where label and verdict are of two kinds.</param>
/// <param name="Sensitivity">Judged positive among the labeled positive, with Wilson's interval.</param>
/// <param name="Specificity">Judged negative among the labeled negative, with Wilson's interval.</param>
/// <param name="Confusion">Counts by label, then by verdict.</param>
public sealed record JudgeCard(
    JudgeIdentity Judge,
    string Hash,
    string Labels,
    string LabelsSha256,
    string Truth,
    JudgedQuestion Question,
    int Items,
    int Unscored,
    int Unlabelled,
    int TruePositives,
    int FalsePositives,
    int FalseNegatives,
    int TrueNegatives,
    Interval Agreement,
    Interval Kappa,
    Interval KappaAllLabels,
    Interval Sensitivity,
    Interval Specificity,
    IReadOnlyDictionary<string, IReadOnlyDictionary<string, int>> Confusion)
{
    /// <summary>Answers that took part: scored and labeled.</summary>
    public int Compared => TruePositives + FalsePositives + FalseNegatives + TrueNegatives;

    public int JudgedPositive => TruePositives + FalsePositives;

    public int LabeledPositive => TruePositives + FalseNegatives;

    /// <summary>The rate this judge would have seen without its errors; null where it tells too little.</summary>
    /// <param name="seen">The rate as this judge saw it, with its limits.</param>
    public Interval? Correct(Interval seen) => RoganGladen.Correct(
        seen, Sensitivity.Value, LabeledPositive, Specificity.Value, FalsePositives + TrueNegatives);
}
