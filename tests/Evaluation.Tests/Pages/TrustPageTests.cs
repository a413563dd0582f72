using System.Text.RegularExpressions;
using SafeLlama.Testing;

namespace SafeLlama.Evaluation.Tests.Pages;

/// <summary>The page on trust names tests; each of them exists.</summary>
[TestFixture]
[Category("Docs")]
public sealed partial class TrustPageTests
{
    [Test]
    public void Every_test_that_the_page_names_exists()
    {
        var page = File.ReadAllText(Path.Combine(TestFiles.Root, "docs", "trust.md"));
        string[] named = [.. Named().Matches(page).Select(m => m.Groups[1].Value).Distinct()];
        var methods = Directory
            .EnumerateFiles(Path.Combine(TestFiles.Root, "tests"), "*Tests.cs", SearchOption.AllDirectories)
            .SelectMany(file => Method().Matches(File.ReadAllText(file)).Select(m => m.Groups[1].Value)).ToHashSet();
        Assert.That(named, Has.Length.GreaterThan(30));
        Assert.That(named.Where(name => !methods.Contains(name)), Is.Empty);
    }

    [GeneratedRegex("`([A-Z][A-Za-z0-9]*(?:_[A-Za-z0-9]+)+)`")]
    private static partial Regex Named();

    [GeneratedRegex(@"public (?:async )?(?:void|Task) (\w+)\(")]
    private static partial Regex Method();
}
