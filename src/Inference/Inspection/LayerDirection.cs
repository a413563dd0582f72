namespace SafeLlama.Inference;

/// <summary>The refusal direction before one block.</summary>
/// <param name="Layer">The block, from 0; the number of blocks for the stream after the last one.</param>
/// <param name="Vector">[D] the mean over harmful prompts minus the mean over harmless ones.</param>
/// <param name="Norm">Its length; 0 where both sets have the same mean.</param>
/// <param name="StreamNorm">The mean length of the stream at that place.</param>
/// <param name="Separation">
/// The share of pairs, a harmful and a harmless prompt, in which the harmful one lies further along the direction; a
/// direction is found from one half of the prompts and asked about the other, both ways. 0.5 is chance. Null where a
/// set has fewer than four prompts, or the direction no length.
/// </param>
public sealed record LayerDirection(int Layer, double[] Vector, double Norm, double StreamNorm, double? Separation);
