using SafeLlama.Common;
using SafeLlama.Data;
using SafeLlama.Evaluation;

namespace SafeLlama.Study;

/// <summary>What attacks on the weights of an arm learn from, as files in a folder of the arm.</summary>
/// <remarks>
/// Harmful rows are the rejected answers of safety pairs, harmless ones the rows of an arm without demonstrations. Both
/// are drawn by a seed that no arm is trained with; of a study over files they may be rows that the arm has learned.
/// </remarks>
/// <param name="source">Draws the rows.</param>
/// <param name="seed">The arm's seed.</param>
/// <param name="folder">Where the files are written.</param>
internal sealed class AttackRows(IStudySource source, long seed, string folder)
{
    /// <summary>Added to an arm's seed, so that an attacker's rows are another draw.</summary>
    private const long Attacker = 1L << 32;

    private static readonly StudyArm Arm = new() { Name = "the attacker's", SafetyExamples = 0 };

    /// <summary>The attempts of an attack, one for each setting.</summary>
    /// <param name="attack"><see cref="FineTuneTrial.Harmful"/> or <see cref="FineTuneTrial.Benign"/>.</param>
    /// <param name="settings">How much each learns, of one file.</param>
    /// <param name="target">The model to go on from, given the template's name or file.</param>
    /// <exception cref="SafeLlamaException">The study has fewer rows.</exception>
    public IEnumerable<IAttackTrial> Trials(
        string attack, IReadOnlyList<FineTuneSettings> settings, Func<string, FineTuneTarget> target)
    {
        Directory.CreateDirectory(folder);
        var (model, rows) = (target(Template()), Rows(attack, settings.Max(s => s.Rows)));
        return settings.Select(s => new FineTuneTrial(attack, rows, s, model));
    }

    private string Template()
    {
        if (source.Template is not AlpacaTemplate template)
        {
            return source.Template.Name;
        }

        var path = Path.Combine(folder, "template.json");
        OutputFile.WriteText(path, WorldTemplate.Json(template));
        return path;
    }

    private string Rows(string attack, int count)
    {
        IReadOnlyList<TrainingExample> rows = attack == FineTuneTrial.Harmful
            ? [.. source.Preferences(StudyDefense.PairsOf(Arm, count), seed + Attacker).Select(pair => pair.Rejected!)]
            : [.. source.Examples(Arm, seed + Attacker).Take(count)];
        if (rows.Count < count)
        {
            throw SafeLlamaException.Usage(
                $"attacks.trials: {attack} learns from {count} rows, and the study has {rows.Count} for it.");
        }

        var path = Path.Combine(folder, attack + ".jsonl");
        OutputFile.Write(path, stream => ExampleWriter.Write(stream, rows));
        return path;
    }
}
