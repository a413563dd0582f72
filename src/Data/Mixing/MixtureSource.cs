namespace SafeLlama.Data;

/// <summary>A file that rows are drawn from, and the license it comes under, where the user gives one.</summary>
public sealed record MixtureSource(ExampleFile File, string? License = null);
