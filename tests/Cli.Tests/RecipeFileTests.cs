using CsCheck;
using SafeLlama.Cli.Options;
using SafeLlama.Cli.Settings;
using SafeLlama.Common;
using SafeLlama.Testing;
using SafeLlama.Training;

namespace SafeLlama.Cli.Tests;

public sealed class RecipeFileTests
{
    /// <summary>Texts made of what YAML gives a meaning to, of settings, and of anything at all.</summary>
    private static readonly Gen<string> Texts = Gen.OneOf(
        Gen.OneOf("rank", ": ", "8", "\n", "- ", "[", "]", "{", "}", "&a ", "*a", "targets", "!!int ", "\t", "'",
            "\"", "#", "|", "---", "\0", "%YAML 9"),
        Gen.String).Array[0, 30].Select(string.Concat);

    /// <param name="seed">Where to begin; the one named here held a text on which the YAML reader itself
    /// failed.</param>
    [TestCase(null)]
    [TestCase("aCOJ1gbkmVc1")]
    public void No_recipe_ends_in_anything_but_settings_or_one_clear_error(string? seed)
    {
        var path = Path.Combine(TestFiles.NewFolder(), "recipe.yaml");
        Texts.Sample(
            text =>
            {
                File.WriteAllText(path, text);
                try
                {
                    RecipeFile.Read(path, new FineTuneOptions().Forms);
                }
                catch (SafeLlamaException e)
                {
                    Assert.That(e.Message, Does.Contain(path));
                }
            },
            seed: seed,
            iter: 500,
            threads: 1);
    }

    [TestCase("[")]
    [TestCase("- ")]
    [TestCase("{a: ")]
    public void Nesting_without_end_is_refused(string nest)
    {
        var path = Path.Combine(TestFiles.NewFolder(), "recipe.yaml");
        File.WriteAllText(path, "targets: " + string.Concat(Enumerable.Repeat(nest, 100_000)));
        Assert.That(() => RecipeFile.Read(path, new FineTuneOptions().Forms), Throws.InstanceOf<SafeLlamaException>());
    }

    [Test]
    public void Every_profile_names_settings_that_exist_and_take_its_values()
    {
        foreach (var profile in new[] { "repo", "paper" })
        {
            var table = new SettingTable<FineTuneRequest>();
            Assert.That(() => table.Apply(Profiles.Named(profile)), Throws.Nothing);
        }
    }
}
