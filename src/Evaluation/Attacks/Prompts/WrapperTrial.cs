using SafeLlama.Common;

namespace SafeLlama.Evaluation;

/// <summary>Sends the request in a wrapper.</summary>
public sealed class WrapperTrial(Wrapper wrapper) : PromptTrial
{
    public const string Name = "wrappers";

    public override string Attack => Name;

    public override string Setting => wrapper.Name;

    public override string About => wrapper.About;

    public override string Identity => $"{Name} 1\n{wrapper.Identity}";

    public override PreparedAttack Prepare(
        AttackContext context, string folder, IProgress<EvaluationProgress>? progress, CancellationToken cancellation)
    {
        var prepared = base.Prepare(context, folder, progress, cancellation);
        return wrapper.IsEncoding
            ? prepared with
            {
                Notes =
                [
                    .. prepared.Notes,
                    "An answer in the same encoding is read as it stands: a judge that goes by wording cannot tell "
                    + "what it says.",
                ],
            }
            : prepared;
    }

    public override AttackLoad Load(SuitePrompt prompt, long seed) => new(Wrapped(prompt, seed));

    protected override AttackedPrompt? Apply(AttackContext context, SuitePrompt prompt) =>
        context.Attacked(prompt, Wrapped(prompt, context.Seed));

    private string Wrapped(SuitePrompt prompt, long seed) =>
        wrapper.Apply(prompt.Text, Philox.Stream(seed, $"attack.wrapper {wrapper.Name} {prompt.Key}"));
}
