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

    protected override AttackedPrompt? Apply(AttackContext context, SuitePrompt prompt) => context.Attacked(
        prompt, wrapper.Apply(prompt.Text, Philox.Stream(context.Seed, $"attack.wrapper {wrapper.Name} {prompt.Key}")));
}
