using System.CodeDom.Compiler;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace SafeLlama.Testing;

/// <summary>A part of every test project: it looks at that project and at all of ours that it uses.</summary>
internal sealed class ParameterCountTests
{
    private const int Most = 8;

    private const BindingFlags All = BindingFlags.DeclaredOnly | BindingFlags.Instance | BindingFlags.Static
        | BindingFlags.Public | BindingFlags.NonPublic;

    [Test]
    public void No_member_has_more_than_eight_parameters()
    {
        MethodBase[] members = [.. Assemblies().SelectMany(assembly => assembly.GetTypes())
            .Where(type => !IsGenerated(type)).SelectMany(Members)];
        Assert.That(members, Has.Length.GreaterThan(100));
        Assert.That(
            members.Where(member => member.GetParameters().Length > Most)
                .Select(member => $"{member.DeclaringType}.{member.Name}: {member.GetParameters().Length}"),
            Is.Empty, "Put arguments that belong together in a record, or make them properties.");
    }

    private static IEnumerable<Assembly> Assemblies() =>
        from path in Directory.EnumerateFiles(AppContext.BaseDirectory, "*.dll")
        where Path.GetFileName(path).StartsWith("SafeLlama.", StringComparison.OrdinalIgnoreCase)
        select Assembly.Load(Path.GetFileNameWithoutExtension(path));

    /// <summary>A delegate's other methods are the runtime's; a foreign function's parameters are its own.</summary>
    private static IEnumerable<MethodBase> Members(Type type)
    {
        if (type.IsSubclassOf(typeof(Delegate)))
        {
            return [type.GetMethod("Invoke")!];
        }

        IEnumerable<MethodBase> methods = type.GetMethods(All).Where(method => !IsGenerated(method)
            && method.GetCustomAttribute<LibraryImportAttribute>() is null
            && !method.Attributes.HasFlag(MethodAttributes.PinvokeImpl));
        return methods.Concat(type.GetConstructors(All));
    }

    private static bool IsGenerated(MemberInfo member) => member.Name.StartsWith('<')
        || member.IsDefined(typeof(CompilerGeneratedAttribute), inherit: false)
        || member.IsDefined(typeof(GeneratedCodeAttribute), inherit: false)
        || (member.DeclaringType is { } owner && IsGenerated(owner));
}
