namespace SafeLlama.Evaluation;

/// <summary>One attack with one of its settings: what a budget counts.</summary>
public interface IAttackTrial
{
    /// <summary>The attack's name, such as <c>prefill</c>.</summary>
    string Attack { get; }

    /// <summary>The setting in a few characters, such as <c>5</c>; unique within its attack.</summary>
    string Setting { get; }

    /// <summary>What it does, in one sentence.</summary>
    string About { get; }

    /// <summary>All that its answers depend on besides the model, the prompts and the decoding.</summary>
    string Identity { get; }

    /// <summary>Whether it changes weights or activations, so that the utility bound applies.</summary>
    bool ChangesModel { get; }

    /// <summary>Refuses, before anything is asked, what Prepare would refuse after hours.</summary>
    /// <exception cref="Common.SafeLlamaException">A setting does not fit the model, or rows cannot be
    /// learned.</exception>
    void Check(AttackContext context)
    {
    }

    /// <summary>Makes what answers under this attack: attacked prompts, or a changed model.</summary>
    /// <param name="folder">A folder of its own, for what it learns and keeps; a killed run finds it again.</param>
    /// <param name="progress">Receives the stages of long preparations.</param>
    /// <exception cref="Common.SafeLlamaException">A part of the attack failed.</exception>
    PreparedAttack Prepare(
        AttackContext context, string folder, IProgress<EvaluationProgress>? progress,
        CancellationToken cancellation);

    /// <summary>What it makes the model read of one prompt, as far as that is known before the attack.</summary>
    /// <param name="prompt">The prompt.</param>
    /// <param name="seed">The attack's seed.</param>
    AttackLoad Load(SuitePrompt prompt, long seed) => new(prompt.Text);

    /// <summary>How long preparing takes, measured on a small part of it; 0 where it takes hardly any time.</summary>
    double PreparationSeconds(AttackContext context) => 0;
}

/// <summary>What an attack makes of a prompt, to count its tokens.</summary>
/// <param name="Text">The request as it is sent.</param>
/// <param name="Exchanges">Answered requests shown before it.</param>
/// <param name="Tokens">Tokens that the attack adds itself: the beginning of an answer, a suffix.</param>
public readonly record struct AttackLoad(string Text, int Exchanges = 0, int Tokens = 0);

/// <summary>What answers under one attack.</summary>
/// <param name="Responder">Answers the prompts; disposed with this where it can be.</param>
/// <param name="Prompts">The prompts that are attacked.</param>
public sealed record PreparedAttack(IResponder Responder, IReadOnlyList<SuitePrompt> Prompts) : IDisposable
{
    /// <summary>Why prompts are left out, and what else a reader should know, one line each.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];

    /// <summary>The attacked prompts by <see cref="SuitePrompt.Key"/>; empty where the prompts stay as they
    /// are.</summary>
    public IReadOnlyDictionary<string, AttackedPrompt> Attacked { get; init; } =
        new Dictionary<string, AttackedPrompt>();

    public void Dispose() => (Responder as IDisposable)?.Dispose();
}
