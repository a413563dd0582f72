using SafeLlama.Evaluation;

namespace SafeLlama.Study;

/// <summary>How alike the refusal directions of a study's arms, wordings and bases are, layer by layer.</summary>
/// <remarks>
/// The direction is that of <see cref="Inference.RefusalDirection"/>: at a prompt's last token, the mean of the
/// residual stream over harmful prompts minus the mean over harmless ones. Arditi et al. 2024, arXiv:2406.11717.
/// </remarks>
/// <param name="Of">The hash of what was read: bases, adapters, prompts. The same hash is the same file.</param>
/// <param name="Missing">Why no direction could be compared; null where some were.</param>
/// <param name="Seed">The tuning seed whose adapters were read, the study's first.</param>
/// <param name="Reference">The arm that the others are compared with: the one that refuses most of the harmful
/// prompts.</param>
/// <param name="Wordings">The prompts, by wording.</param>
/// <param name="Shapes">Bases of one depth and width; only their directions can be compared.</param>
/// <param name="LeftOut">One sentence for each arm whose direction could not be read.</param>
public sealed record StudyDirections(
    string Of,
    string? Missing,
    long Seed,
    string? Reference,
    IReadOnlyList<DirectionPrompts> Wordings,
    IReadOnlyList<DirectionShape> Shapes,
    IReadOnlyList<string> LeftOut);

/// <summary>How many prompts of one wording a direction is the difference of.</summary>
/// <param name="Wording">How they are worded.</param>
/// <param name="Harmful">Prompts of the first mean.</param>
/// <param name="Harmless">Prompts of the second mean.</param>
public sealed record DirectionPrompts(PromptFormat Wording, int Harmful, int Harmless);

/// <summary>What was found on bases of one shape.</summary>
/// <param name="Blocks">Blocks of the model, L; a list by layer has L + 1 places, the last one after all blocks.</param>
/// <param name="Width">The hidden size, D. Two directions drawn at random have a cosine of about ±1/√D.</param>
/// <param name="Models">The bases.</param>
/// <param name="Arms">Every arm under every wording.</param>
/// <param name="Cosines">Every comparison.</param>
public sealed record DirectionShape(
    int Blocks, int Width, IReadOnlyList<string> Models, IReadOnlyList<ArmDirection> Arms,
    IReadOnlyList<DirectionCosines> Cosines);

/// <summary>One arm's direction, its bases averaged.</summary>
/// <param name="Arm">The arm.</param>
/// <param name="Wording">The prompts' wording.</param>
/// <param name="Refused">The share of the harmful prompts that the arm refuses; without refusals the direction tells
/// harmful prompts from harmless ones, and is no refusal. Null where no answer was one.</param>
/// <param name="Length">By layer, the direction's length as a share of the stream's.</param>
/// <param name="Separates">By layer, the share of pairs of a harmful and a harmless prompt that it ranks right; null
/// where there are too few prompts.</param>
public sealed record ArmDirection(
    string Arm, PromptFormat Wording, double? Refused, IReadOnlyList<double> Length,
    IReadOnlyList<double?> Separates);

/// <summary>What differs between two directions.</summary>
public enum DirectionContrast
{
    /// <summary>The arm: another dose, say. Base and wording are the same.</summary>
    Arms,

    /// <summary>The wording of the prompts. Base and arm are the same.</summary>
    Wordings,

    /// <summary>The base. Arm and wording are the same.</summary>
    Bases,
}

/// <summary>The cosine of two directions, by layer.</summary>
/// <param name="Contrast">What differs between the two.</param>
/// <param name="Arm">The arm.</param>
/// <param name="With">The other arm, or the other wording; null between bases.</param>
/// <param name="Wording">The wording of the prompts.</param>
/// <param name="Pairs">How many cosines each mean is over: bases, or pairs of them.</param>
/// <param name="Layers">By layer; null where one direction has no length, as before the first block.</param>
public sealed record DirectionCosines(
    DirectionContrast Contrast, string Arm, string? With, PromptFormat Wording, int Pairs,
    IReadOnlyList<CosineRange?> Layers);

/// <summary>Cosines of one layer over bases.</summary>
public sealed record CosineRange(double Mean, double Low, double High);
