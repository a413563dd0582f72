using SafeLlama.Common;

namespace SafeLlama.Evaluation;

/// <summary><c>trial.json</c>: what a trial's folder was made for.</summary>
/// <param name="Attack">The attack.</param>
/// <param name="Setting">Its setting.</param>
/// <param name="Identity">A hash of all that the attack depends on besides model, prompts and decoding.</param>
public sealed record AttackTrialFile(string Attack, string Setting, string Identity)
{
    public const string FileName = "trial.json";

    /// <summary>Creates the folder, or checks that it was made for this trial.</summary>
    /// <exception cref="SafeLlamaException">It was made for another one: other rows, answers or settings.</exception>
    public static void Claim(string folder, IAttackTrial trial)
    {
        var path = Path.Combine(folder, FileName);
        var now = new AttackTrialFile(trial.Attack, trial.Setting, ContentHash.OfText(trial.Identity));
        FileErrors.Writing(folder, () => Directory.CreateDirectory(folder));
        if (!File.Exists(path))
        {
            OutputFile.WriteText(path, Json.FileText(now));
        }
        else if (JsonRecord.Parse<AttackTrialFile>(File.ReadAllBytes(path), path, "says of no trial what it is") != now)
        {
            throw SafeLlamaException.Usage(
                $"`Resume` {folder}: was made with other rows, answers or settings of the attack. Use those of the "
                + "run, or another folder.");
        }
    }
}
