using SafeLlama.Common;

namespace SafeLlama.Training;

/// <summary><c>run.json</c> of a fine-tuning run: the settings as resolved, with where each came from, and hashes of
/// all that was read.</summary>
/// <param name="Safellama">The program's version.</param>
/// <param name="Verb">Always <c>train</c>.</param>
/// <param name="Settings">By name.</param>
/// <param name="Inputs">SHA-256 of every file read, by path.</param>
/// <param name="Plan">What the run does.</param>
public sealed record RunFile(
    string Safellama,
    string Verb,
    IReadOnlyDictionary<string, SettingValue> Settings,
    IReadOnlyDictionary<string, string> Inputs,
    PlanRecord Plan)
{
    public const string Name = "run.json";

    public static RunFile Of(
        SettingTable<FineTuneRequest> settings, IReadOnlyDictionary<string, string> inputs, FineTunePlan plan) => new(
        typeof(RunFile).Assembly.GetName().Version!.ToString(3), "train",
        settings.All.ToDictionary(e => e.Name, e => e.Value), inputs, plan.ToRecord());

    public static bool IsIn(string? folder) => folder is not null && File.Exists(Path.Combine(folder, Name));

    /// <exception cref="SafeLlamaException">The file is not one of ours.</exception>
    public static RunFile Read(string folder)
    {
        var path = Path.Combine(folder, Name);
        return JsonRecord.Parse<RunFile>(
            FileErrors.Reading(path, () => File.ReadAllBytes(path), ExitCode.InvalidData), path,
            "is not a training run's");
    }

    public void Write(string folder) => OutputFile.WriteJson(Path.Combine(folder, Name), this);

    /// <summary>The settings of this run, to go on with it: what it was told, and of <paramref name="settings"/> what
    /// changes no result.</summary>
    /// <exception cref="SafeLlamaException">A setting that is given differs from the run's.</exception>
    public SettingTable<FineTuneRequest> Resume(SettingTable<FineTuneRequest> settings, string folder)
    {
        var harmless = FineTuneRequest.Harmless.Select(SettingText.NameOf).ToHashSet();
        foreach (var (name, value) in settings.All.Where(
            e => e.Value.Source != SettingValue.Default && !harmless.Contains(e.Name)))
        {
            if (Settings.TryGetValue(name, out var then) && then.Value != value.Value)
            {
                throw SafeLlamaException.Usage(
                    $"`{SettingText.PropertyOf(name)}` {value.Value}: the run in {folder} began "
                    + $"with '{then.Value}', and a resumed run keeps its settings.",
                    "leave it out", "start anew with another `Out`");
            }
        }

        var known = settings.Names;
        return new SettingTable<FineTuneRequest>()
            .Apply(Settings.Where(s => known.Contains(s.Key)).Select(s => KeyValuePair.Create(
                s.Key, s.Value.IsGiven ? s.Value with { Source = Name } : s.Value)))
            .Apply(settings.All.Where(e => e.Value.IsGiven && harmless.Contains(e.Name))
                .Select(e => KeyValuePair.Create(e.Name, e.Value)));
    }

    /// <exception cref="SafeLlamaException">Something that the run reads has changed since it began.</exception>
    public void RequireUnchanged(string folder, IReadOnlyDictionary<string, string> now)
    {
        foreach (var (name, hash) in now)
        {
            var then = Inputs.GetValueOrDefault(name);
            if (then != hash)
            {
                throw new SafeLlamaException(
                    ExitCode.InvalidData,
                    $"{name}: has changed since the run in {folder} began (sha256 {Short(then)} then, {Short(hash)} "
                    + "now); a resumed run would not be the same.",
                    null, "restore it", "start anew with another `Out`");
            }
        }
    }

    private static string Short(string? hash) => hash is { Length: > 12 } ? hash[..12] + "…" : hash ?? "none";
}
