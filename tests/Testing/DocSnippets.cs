using System.Text.RegularExpressions;

namespace SafeLlama.Testing;

/// <summary>Holds a page of docs/ to the compiled tests its code comes from.</summary>
/// <remarks>
/// In a test file a snippet stands between <c>// docs:01-tokens:name</c> and <c>// end</c>; on the page
/// <c>docs/01-tokens.md</c> it stands in a <c>```csharp</c> block under <c>&lt;!-- snippet: 01-tokens:name --&gt;</c>.
/// Both must be equal, indentation aside; a block without a name and a snippet missing from either side are faults.
/// </remarks>
public static partial class DocSnippets
{
    /// <summary>Fails, listing every difference, unless the page shows exactly the tests' code.</summary>
    /// <param name="pageFileName">
    /// The page's file name in docs/, such as <c>01-tokens.md</c>, or <c>README.md</c>, which stands at the root.
    /// </param>
    public static void Check(string pageFileName)
    {
        var folder = pageFileName == "README.md" ? TestFiles.Root : Path.Combine(TestFiles.Root, "docs");
        var path = Path.Combine(folder, pageFileName);
        if (!Directory.Exists(Path.Combine(TestFiles.Root, "docs")))
        {
            Assert.Ignore("docs/ is not here: pages are checked where the repository is.");
        }

        Assert.That(File.Exists(path), $"{path} does not exist.");
        var page = Path.GetFileNameWithoutExtension(pageFileName);
        var faults = Compare(page, File.ReadAllText(path), Sources());
        Assert.That(faults, Is.Empty, string.Join("\n", faults));
    }

    /// <summary>The differences between a page's text and the snippets of the sources, each in one line.</summary>
    /// <param name="page">The page's name without its ending.</param>
    /// <param name="text">The page's Markdown.</param>
    /// <param name="sources">The names and texts of the files that may hold its snippets.</param>
    public static IReadOnlyList<string> Compare(
        string page, string text, IEnumerable<(string Name, string Text)> sources)
    {
        var faults = new List<string>();
        var expected = new Dictionary<string, (string File, string Code)>();
        foreach (var (file, source) in sources)
        {
            foreach (Match region in Region().Matches(Lines(source)))
            {
                var (name, code) = (region.Groups["name"].Value, Normalize(region.Groups["code"].Value));
                if (name.StartsWith(page + ":", StringComparison.Ordinal) && !expected.TryAdd(name, (file, code)))
                {
                    faults.Add($"{file}: {name} is also in {expected[name].File}; a name belongs to one region.");
                }
            }
        }

        var shown = new HashSet<string>();
        foreach (Match block in Block().Matches(Lines(text)))
        {
            var (name, code) = (block.Groups["name"].Value, Normalize(block.Groups["code"].Value));
            if (name.Length == 0)
            {
                faults.Add(
                    $"{page}.md: a csharp block has no <!-- snippet: {page}:name --> above: \"{FirstLine(code)}\".");
            }
            else if (!expected.TryGetValue(name, out var source))
            {
                faults.Add($"{page}.md: no test has the region // docs:{name} … // end.");
            }
            else if (code != source.Code)
            {
                faults.Add($"{page}.md: {name} differs from {source.File}; the page should show:\n{source.Code}");
            }

            shown.Add(name);
        }

        faults.AddRange(expected.Keys.Where(name => !shown.Contains(name)).Select(name =>
            $"{expected[name].File}: {name} is not shown on {page}.md."));
        if (shown.Count == 0)
        {
            faults.Add($"{page}.md: shows no snippet; a page's code comes from a compiled test.");
        }

        return faults;
    }

    private static IEnumerable<(string, string)> Sources()
    {
        var tests = Path.Combine(TestFiles.Root, "tests");
        return Directory.EnumerateFiles(tests, "*.cs", SearchOption.AllDirectories)
            .Select(file => Path.GetRelativePath(TestFiles.Root, file).Replace('\\', '/'))
            .Where(file => !file.Contains("/bin/") && !file.Contains("/obj/"))
            .Order(StringComparer.Ordinal)
            .Select(file => (file, File.ReadAllText(Path.Combine(TestFiles.Root, file))));
    }

    private static string Lines(string text) => text.Replace("\r\n", "\n", StringComparison.Ordinal);

    private static string FirstLine(string code) => code.Split('\n')[0];

    /// <summary>Without blank lines at the ends, blanks at line ends, and the indentation all lines share.</summary>
    private static string Normalize(string code)
    {
        var lines = code.Split('\n').Select(line => line.TrimEnd()).ToList();
        var indentation = lines.Where(line => line.Length > 0)
            .Select(line => line.Length - line.TrimStart().Length)
            .DefaultIfEmpty(0)
            .Min();
        return string.Join('\n', lines.Select(line => line.Length == 0 ? line : line[indentation..])).Trim('\n');
    }

    [GeneratedRegex(
        @"^[ \t]*// docs:(?<name>[\w.-]+:[\w.-]+)[ \t]*\n(?<code>.*?)^[ \t]*// end[ \t]*$",
        RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Region();

    [GeneratedRegex(
        @"(?:^<!-- snippet: (?<name>[\w.-]+:[\w.-]+) -->\n+)?^```csharp[ \t]*\n(?<code>.*?)^```[ \t]*$",
        RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Block();
}
