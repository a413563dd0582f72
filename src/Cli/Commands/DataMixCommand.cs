using System.CommandLine;
using SafeLlama.Cli.Options;
using SafeLlama.Cli.Results;
using SafeLlama.Common;
using SafeLlama.Data;

namespace SafeLlama.Cli.Commands;

/// <summary><c>data mix</c>: mixes base rows and safety demonstrations in a seeded order, with a manifest.</summary>
internal static class DataMixCommand
{
    public static Command Create() => new DataMixOptions().Verb(
        "mix", "Mix safety demonstrations into base rows; a manifest beside the rows says what they are made of.", Run);

    private static ExitCode Run(DataMixOptions.Request asked)
    {
        var path = DataFiles.NewRows(asked.Out);
        var mixture = SafetyMixture.Build(
            Sources(asked.Data, asked.DataLicense),
            Sources(asked.Safety, asked.SafetyLicense),
            new MixtureOptions
            {
                SafetyCount = asked.SafetyExamples,
                SafetyShare = asked.SafetyShare,
                BaseCount = asked.BaseExamples,
                Seed = asked.Seed,
                Nested = !asked.Independent,
                Deduplicate = !asked.KeepDuplicates,
            });
        Terminal.Notes(mixture.Notes);
        var manifest = mixture.Write(path);
        var made = mixture.Manifest;
        if (asked.Json)
        {
            Terminal.PrintJson(new MixResult(
                path, manifest, made.BaseCount, made.SafetyCount, made.SafetyShare, made.RefusalShare,
                made.Duplicates.Count, made.Seed)
            { Nested = made.Nested });
        }
        else
        {
            Terminal.Print(made.Lines());
            Terminal.Print($"{path}: {Counted.Of(mixture.Examples.Count, "row")}; what they are made of: {manifest}");
        }

        return ExitCode.Success;
    }

    private static IReadOnlyList<MixtureSource> Sources(IReadOnlyList<string> paths, string? license) =>
        [.. ExampleFile.ReadAll(paths).Select(file => new MixtureSource(file, license))];
}
