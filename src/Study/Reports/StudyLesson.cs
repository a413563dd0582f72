namespace SafeLlama.Study;

/// <summary>Details of one tuned model, for the part of the report that explains it.</summary>
/// <param name="Arm">The arm of the model.</param>
/// <param name="Matrices">What the adapter adds to each matrix.</param>
/// <param name="Scale">How refusing depends on the adapter's scale.</param>
/// <param name="Tokens">One example, token by token.</param>
/// <param name="Attention">One head on one prompt, before and after.</param>
public sealed record StudyLesson(
    string Arm,
    IReadOnlyList<MatrixAnatomy> Matrices,
    IReadOnlyList<ScaleProbe> Scale,
    TokenView? Tokens,
    AttentionView? Attention)
{
    /// <summary>The arm that the tuned model stands beside: the same settings without demonstrations. Null where the
    /// study has none, and the bare base stands there.</summary>
    public string? Before { get; init; }

    /// <summary>What the head makes of the stream, layer by layer; null in lessons of older versions.</summary>
    public LensView? Lens { get; init; }
}

/// <summary>What LoRA learned for one matrix.</summary>
/// <param name="Layer">The block, from 0.</param>
/// <param name="Matrix">Such as <c>q_proj</c>.</param>
/// <param name="Norm">‖(α/r)·BA‖, Frobenius.</param>
/// <param name="WeightNorm">‖W‖ of the frozen weight, Frobenius.</param>
/// <param name="SingularValues">[r] singular values of (α/r)·BA, falling.</param>
public sealed record MatrixAnatomy(
    int Layer, string Matrix, double Norm, double WeightNorm, IReadOnlyList<double> SingularValues)
{
    /// <summary>The update's size beside the weight's.</summary>
    public double Relative => WeightNorm > 0 ? Norm / WeightNorm : 0;
}

/// <summary>One prompt, asked at several scales of the adapter.</summary>
/// <param name="Prompt">The request.</param>
/// <param name="Points">Scale, and the probability that the answer begins as a refusal does.</param>
public sealed record ScaleProbe(string Prompt, IReadOnlyList<ScalePoint> Points);

/// <param name="Scale">0 is the bare base, 1 the tuned model.</param>
/// <param name="Refusal">Probability of the refusals' openings.</param>
public sealed record ScalePoint(double Scale, double Refusal);

/// <summary>One training example as the model sees it.</summary>
public sealed record TokenView(IReadOnlyList<TokenLoss> Tokens);

/// <summary>One token.</summary>
/// <param name="Text">Its text; a space shows as ␣.</param>
/// <param name="Learned">Whether the loss includes it; prompts are masked.</param>
/// <param name="Before">The loss of the model before on it, nats; null for the first token, which has no
/// prediction.</param>
/// <param name="Tuned">The tuned model's.</param>
public sealed record TokenLoss(string Text, bool Learned, double? Before, double? Tuned);

/// <summary>The attention of one head on one prompt.</summary>
/// <param name="Layer">The block, from 0.</param>
/// <param name="Head">The head, from 0.</param>
/// <param name="Tokens">[T] the prompt's tokens.</param>
/// <param name="Before">[T][T] row i: how token i attends to those up to it, in the model before.</param>
/// <param name="Tuned">The same in the tuned model.</param>
public sealed record AttentionView(
    int Layer, int Head, IReadOnlyList<string> Tokens,
    IReadOnlyList<IReadOnlyList<double>> Before, IReadOnlyList<IReadOnlyList<double>> Tuned);

/// <summary>The logit lens on one request: what the head makes of the stream at the prompt's last token.</summary>
/// <param name="Request">The request.</param>
/// <param name="Layers">[L + 1] before every block, and after the last.</param>
public sealed record LensView(string Request, IReadOnlyList<LensLayer> Layers);

/// <summary>One place of the stream.</summary>
/// <param name="Before">What the model before reads there.</param>
/// <param name="Tuned">What the tuned model reads there.</param>
public sealed record LensLayer(LensGuess Before, LensGuess Tuned);

/// <summary>The next token, as the head would have it here.</summary>
/// <param name="Token">The likeliest.</param>
/// <param name="Probability">Its probability.</param>
/// <param name="Refusal">The probability of the tokens that refusals begin with.</param>
public sealed record LensGuess(string Token, double Probability, double Refusal);
