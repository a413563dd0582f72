namespace SafeLlama.Training;

/// <summary>What <c>reference.json</c> holds: how likely every answer was before the first step.</summary>
/// <param name="Sha256">Of the rows.</param>
/// <param name="Rows">In the order of the preferences, those to learn first.</param>
public sealed record ReferenceFile(string Sha256, IReadOnlyList<ReferenceRow> Rows);

/// <summary>One preference.</summary>
/// <param name="Id">Its row's.</param>
/// <param name="Values">Σ log p of each answer, in nats; last of the mismatched one, where there is one.</param>
public sealed record ReferenceRow(string Id, IReadOnlyList<double> Values);
