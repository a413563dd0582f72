using SafeLlama.Evaluation;

namespace SafeLlama.Cli.Results;

/// <summary>What <c>evaluate --list --json</c> prints.</summary>
/// <param name="Suites">Suites known by name.</param>
/// <param name="Capability">Multiple-choice tasks known by name.</param>
internal sealed record SuiteList(IReadOnlyList<SuiteSource> Suites, IReadOnlyList<ChoiceTask> Capability);

/// <summary>A recipe as <c>study --list --json</c> lists it.</summary>
/// <param name="Name">What <c>--recipe</c> calls it.</param>
/// <param name="Question">What it asks.</param>
internal sealed record RecipeEntry(string Name, string Question);
